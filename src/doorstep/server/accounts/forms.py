"""What people fill in to sign up."""

from allauth.account.forms import SignupForm
from django import forms

__all__ = ["SignUpForm"]


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth ships no types
    """E-mail and password, and how to call the person and the place of the devices."""

    name = forms.CharField(
        label="Your name",
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organisation = forms.CharField(
        label="Home or company",
        max_length=120,
        required=False,
        help_text="Your devices will belong to it. You can leave it empty.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ("email", "password1", "name", "organisation")
