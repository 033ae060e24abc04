"""What people fill in to sign up, log in and change their account: allauth's forms in our words."""

from typing import TYPE_CHECKING, Any, Final

from allauth.account import forms as theirs
from django import forms
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

__all__ = [
    "ChangePassword",
    "LogIn",
    "NewEmail",
    "NewPassword",
    "PlainWords",
    "Reauthenticate",
    "ResetPassword",
    "SetPassword",
    "SignUp",
]

_EMAIL: Final = _("E-mail address")
_NEW: Final = (_("New password"), _("At least 10 characters, and not one that everybody uses."))
_WORDS: "Final[dict[str, tuple[str | _StrPromise, str | _StrPromise]]]" = {
    "login": (_EMAIL, ""),
    "email": (_EMAIL, ""),
    "password": (_("Password"), ""),
    "remember": (_("Stay logged in on this device"), ""),
    "oldpassword": (_("Password now"), ""),
    "password1": _NEW,
    "code": ("Code", ""),
}
"""Label and help of allauth's fields."""


class PlainWords(forms.BaseForm):
    """Replaces allauth's labels and placeholders."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Go through the fields."""
        super().__init__(*args, **kwargs)
        # One field shown in the clear by the browser's own means is safer than a word typed twice blindly.
        self.fields.pop("password2", None)
        for name, (label, help_text) in _WORDS.items():
            if name in self.fields:
                field = self.fields[name]
                field.label, field.help_text = label, help_text
                field.widget.attrs.pop("placeholder", None)
        for field in self.fields.values():
            field.error_messages["required"] = _("Please fill this in.")


class LogIn(PlainWords, theirs.LoginForm):  # type: ignore[misc]  # allauth ships no types
    """E-mail address and password."""


class SignUp(PlainWords, theirs.SignupForm):  # type: ignore[misc]  # allauth ships no types
    """E-mail and password, and how to call the person and the place of the devices."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organisation = forms.CharField(
        label=_("Home or company"),
        max_length=120,
        required=False,
        help_text=_("Your devices will belong to it."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ("email", "password1", "name", "organisation")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the new account's password simply."""
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("Password")


class ResetPassword(PlainWords, theirs.ResetPasswordForm):  # type: ignore[misc]  # allauth ships no types
    """The address that the link goes to."""


class NewPassword(PlainWords, theirs.ResetPasswordKeyForm):  # type: ignore[misc]  # allauth ships no types
    """The password chosen after following the link."""


class ChangePassword(PlainWords, theirs.ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types
    """The password now, and the next one."""


class SetPassword(PlainWords, theirs.SetPasswordForm):  # type: ignore[misc]  # allauth ships no types
    """The first password of an account that has none."""


class NewEmail(PlainWords, theirs.AddEmailForm):  # type: ignore[misc]  # allauth ships no types
    """The address to change to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the address as the new one."""
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")


class Reauthenticate(PlainWords, theirs.ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """The password once more, before something important."""
