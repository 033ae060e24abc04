"""Where allauth's second factors and passkeys meet ours."""

import base64
import struct
from collections.abc import Callable
from typing import Any

import segno
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.conf import settings
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from doorstep.server.accounts.forms import PlainWords
from doorstep.server.accounts.models import User

__all__ = [
    "ActivateApp",
    "AddPasskey",
    "Authenticate",
    "AuthenticateByPasskey",
    "LogInByPasskey",
    "MFAAdapter",
    "Reauthenticate",
    "ReauthenticateByPasskey",
]

_CONTEXT = "mfa/secret"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps the secrets of second factors wrapped by the key file, and names things in our words."""

    error_messages = {  # noqa: RUF012 - allauth's own way to replace its texts
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not the one of now. Wait for the next one and type that.",
    }

    def encrypt(self, text: str) -> str:
        """Wrap a secret before it is stored."""
        return base64.b64encode(settings.KEY_FILE.wrap(text.encode(), _CONTEXT)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Unwrap what was stored."""
        secret: bytes = settings.KEY_FILE.unwrap(base64.b64decode(encrypted_text), _CONTEXT)
        return secret.decode()

    def build_totp_svg(self, url: str) -> str:
        """Draw the app's QR code without anything that the page's policy forbids."""
        return segno.make(url, error="m").svg_inline(svgclass=None, lineclass=None, border=2)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's signature
        """Count a user's passkeys."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Say to whom a passkey belongs."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": "Doorstep"}

    def _get_site_name(self) -> str:
        return "Doorstep"


class _Code(PlainWords):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "Six digits from your app, or one of your recovery codes."


class Authenticate(_Code, codes.AuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """The second factor, after the password."""


class Reauthenticate(_Code, codes.ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """A code, before something important."""


class ActivateApp(PlainWords, ActivateTOTPForm):  # type: ignore[misc]  # allauth ships no types
    """The first code of an app."""


class _Credential(forms.BaseForm):
    """Refuses what is no credential at all, which the library below meets with errors of its own."""

    parse: Callable[[Any], object]

    def clean_credential(self) -> Any:
        try:
            type(self).parse(self.cleaned_data["credential"])
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error) as error:
            raise MFAAdapter().validation_error("incorrect_code") from error
        checked = getattr(super(), "clean_credential", None)
        return checked() if checked else self.cleaned_data["credential"]


class LogInByPasskey(_Credential, webauthn.LoginWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """A passkey instead of the password."""

    parse = AuthenticationResponse.from_dict


class AuthenticateByPasskey(_Credential, webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]  # as above
    """A passkey after the password."""

    parse = AuthenticationResponse.from_dict


class ReauthenticateByPasskey(_Credential, webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]  # as above
    """A passkey, before something important."""

    parse = AuthenticationResponse.from_dict


class AddPasskey(_Credential, PlainWords, webauthn.AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """A passkey's name, and whether it replaces the password."""

    parse = RegistrationResponse.from_dict

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say what the choices mean."""
        super().__init__(*args, **kwargs)
        name, alone = self.fields["name"], self.fields["passwordless"]
        name.help_text = "So that you can tell it from others, for example: phone."
        alone.label, alone.initial = "Log in with it alone, without a password", True
        alone.help_text = "Leave it out for an old security key that asks for no PIN or finger."
