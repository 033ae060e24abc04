"""Where allauth's account flows meet ours."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from doorstep.server.accounts.actions import open_customer_organisation
from doorstep.server.accounts.forms import SignUp
from doorstep.server.accounts.inviting import is_invited
from doorstep.server.accounts.models import User
from doorstep.server.clock import now_us

__all__ = ["AccountAdapter"]


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Opens an organisation with each sign-up, and counts failed log-ins fairly."""

    error_messages = {  # noqa: RUF012 - allauth's own way to replace its texts
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "That e-mail address and password don't belong together. "
        "Check both, or reset the password.",
        "too_many_login_attempts": "Too many wrong passwords from your address. "
        "Wait five minutes, or reset the password to come in at once.",
        "email_taken": "This e-mail address already has an account. Log in, or reset its password.",
    }

    def save_user(self, request: HttpRequest, user: User, form: SignUp, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - allauth's signature
        """Store the user together with the organisation they own."""
        with transaction.atomic():
            user.name = form.cleaned_data.get("name", "")
            saved: User = super().save_user(request, user, form, commit)
            named = form.cleaned_data.get("organisation", "")
            # Who comes because they were invited, and names no home of their own, needs none.
            if named or not is_invited(saved.email, now_us()):
                open_customer_organisation(saved, named)
        return saved

    def format_email_subject(self, subject: str) -> str:
        """Leave the subject as our templates wrote it."""
        return subject

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # By address and account, so that guessing from elsewhere can't lock out the rightful owner.
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{self.get_client_ip(request)}:{key}"
