"""Django settings, made from Doorstep's own settings; nothing here is for operators to edit."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict

from doorstep.runtime.database import SQLITE_PRAGMAS
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import load
from doorstep.runtime.state import StateFolder
from doorstep.runtime.webfiles import web_folder

DOORSTEP = load(os.environ)
STATE = StateFolder.open(DOORSTEP.state)
KEY_FILE = KeyFile.open(STATE.key_file)

SECRET_KEY = KEY_FILE.derive("django").hex()
DEBUG = False
# Never "*": links in mail are built from the host, and a site elsewhere may point its own name at this
# machine (DNS rebinding).
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    DOORSTEP.public_host,
    urlsplit(DOORSTEP.base_url).hostname or "localhost",
]
CSRF_TRUSTED_ORIGINS = [DOORSTEP.base_url]
ROOT_URLCONF = "doorstep.server.urls"
ASGI_APPLICATION = "doorstep.server.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 86_400
APPEND_SLASH = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "doorstep.server.portal",  # before allauth: its templates are ours
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "doorstep.server.accounts",
    "doorstep.server.fleet",
    "doorstep.server.custody",
    "doorstep.server.readings",
    "doorstep.server.channels",
    "doorstep.server.jobs",
    "doorstep.server.audit",
    "doorstep.server.webhooks",
    "doorstep.server.api",
]

MIDDLEWARE = [
    "doorstep.server.portal.middleware.security_headers",
    "doorstep.server.api.edge.rest_edge",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "doorstep.server.portal.context.frame",
            ]
        },
    }
]


FORM_RENDERER = "doorstep.server.portal.renderer.PortalRenderer"


_CONNECTION = {"dbname": "name", "user": "user", "password": "password", "host": "host", "port": "port"}
"""Names of libpq → Django's."""


def _database() -> dict[str, Any]:
    if DOORSTEP.embedded_database:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": STATE.sqlite_file,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 10, "init_command": SQLITE_PRAGMAS},
        }
    # libpq's own reading, so that ?sslmode=verify-full means here what it means to the other roles.
    told = conninfo_to_dict(DOORSTEP.database_url)
    known = {name.upper(): str(told.pop(key, "")) for key, name in _CONNECTION.items()}
    pool = {"min_size": 1, "max_size": 16, "timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **known,
        "OPTIONS": {**told, "pool": pool, "prepare_threshold": 5},
    }


DATABASES = {"default": _database()}

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_ADAPTER = "doorstep.server.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "doorstep.server.accounts.forms.LogIn",
    "signup": "doorstep.server.accounts.forms.SignUp",
    "reset_password": "doorstep.server.accounts.forms.ResetPassword",
    "reset_password_from_key": "doorstep.server.accounts.forms.NewPassword",
    "change_password": "doorstep.server.accounts.forms.ChangePassword",
    "set_password": "doorstep.server.accounts.forms.SetPassword",
    "add_email": "doorstep.server.accounts.forms.NewEmail",
    "reauthenticate": "doorstep.server.accounts.forms.Reauthenticate",
}
MFA_ADAPTER = "doorstep.server.accounts.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Doorstep"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "doorstep.server.accounts.mfa.Authenticate",
    "reauthenticate": "doorstep.server.accounts.mfa.Reauthenticate",
    "activate_totp": "doorstep.server.accounts.mfa.ActivateApp",
    "add_webauthn": "doorstep.server.accounts.mfa.AddPasskey",
    "login_webauthn": "doorstep.server.accounts.mfa.LogInByPasskey",
    "authenticate_webauthn": "doorstep.server.accounts.mfa.AuthenticateByPasskey",
    "reauthenticate_webauthn": "doorstep.server.accounts.mfa.ReauthenticateByPasskey",
}
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = DOORSTEP.base_url.startswith("https://")

STATIC_URL = "/static/"
STATICFILES_DIRS = [("onboarding", str(web_folder()))]
WHITENOISE_USE_FINDERS = True

DEFAULT_FROM_EMAIL = f"doorstep@{DOORSTEP.public_host}"
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = str(STATE.mail)
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
if DOORSTEP.smtp_url:
    _smtp = urlsplit(DOORSTEP.smtp_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _smtp.hostname or ""
    EMAIL_PORT = _smtp.port or (465 if _smtp.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_smtp.username or "")
    EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
    EMAIL_USE_SSL = _smtp.scheme == "smtps"
    # A password never crosses the network in clear: without smtps:// it takes STARTTLS.
    EMAIL_USE_TLS = _smtp.scheme == "smtp" and bool(_smtp.username)
