"""Django settings of the web process and its worker: those of an instance, with people, sign-in and pages."""

import json
import os
from pathlib import Path

from csp.constants import NONE, SELF

from groundswell.engine.made import MADE
from groundswell.engine.secrets import Secrets
from groundswell.server.settings import *  # noqa: F403 - the settings of an instance, and more
from groundswell.server.settings import DATABASES, HOME, INSTALLED_APPS

_WEB = Path(__file__).parents[1] / "web"
_SECRETS = Secrets.of(HOME)
SECRET_KEY = _SECRETS.sessions
DEBUG = False
_SITE = json.loads(os.environ.get("GROUNDSWELL_SITE", "{}"))
"""What `groundswell serve` was told and site.json says: `origin`, the address people type; mail; sign-in by others."""
ORIGIN = _SITE.get("origin", "http://127.0.0.1:8000")
DEMO = (HOME / MADE).is_file()
"""Whether the data are made: people then need no second factor, and every page says so."""
_SECURE = ORIGIN.startswith("https://")

ALLOWED_HOSTS = [ORIGIN.partition("://")[2].rsplit(":", 1)[0], "127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [ORIGIN]
ROOT_URLCONF = "groundswell.server.urls"
WSGI_APPLICATION = "groundswell.server.wsgi.application"

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "groundswell.web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
]

DATABASES["default"]["CONN_MAX_AGE"] = 60
"""Seconds that a thread keeps its connection: opening one for each request takes as long as half a page."""

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # first, so that whatever answers, the policy is on it
    "groundswell.web.shell.guard.Headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "groundswell.web.shell.guard.Guard",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_WEB / "account" / "overrides", _WEB],  # a template lies beside its view
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "groundswell.web.shell.frame.frame",
            ],
            "builtins": ["groundswell.web.shell.tags", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# ------------------------------------------------------------------------------------------------ who signs in, and how

AUTH_USER_MODEL = "records.Staff"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "groundswell.web.account.adapter.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,10/15m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if _SITE.get("behind_proxy") else 0  # or all people have the address of the proxy
SOCIALACCOUNT_ADAPTER = "groundswell.web.account.adapter.Outside"
SOCIALACCOUNT_PROVIDERS = _SITE.get("providers", {})
"""OIDC and SAML as the operator configures them in site.json (docs/how-to/sign-in.md)."""
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Groundswell"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _SECURE
MFA_ALLOW_UNVERIFIED_EMAIL = True

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_NAME = "__Host-session" if _SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _SECURE else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "groundswell.web.shell.errors.csrf"

# ------------------------------------------------------------------------------------------------------------- headers

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 366 * 24 * 3600 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _SECURE
SECURE_SSL_REDIRECT = False  # the proxy that ends TLS redirects; behind it we would see its plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SITE.get("behind_proxy") else None

# --------------------------------------------------------------------------------------------------- files, mail, jobs

STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [_WEB / "shell" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
FILE_UPLOAD_HANDLERS = ["groundswell.web.data.arriving.Arriving"]
FILE_UPLOAD_TEMP_DIR = HOME / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if _SITE.get("mail")
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = HOME / "mail"
if not _SITE.get("mail"):
    EMAIL_FILE_PATH.mkdir(mode=0o700, exist_ok=True)  # Django would make it for everybody, and letters let people in
globals().update({f"EMAIL_{name.upper()}": value for name, value in _SITE.get("mail", {}).items()})
DEFAULT_FROM_EMAIL = _SITE.get("from", "groundswell@localhost")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "records_cache"},
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "groundswell": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
