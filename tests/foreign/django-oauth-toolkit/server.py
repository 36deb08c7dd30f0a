"""The PyPI package django-oauth-toolkit as an authorization server, on loopback, for one test run.

Prints {"issuer", "pid", "client_id", "device_client_id", "device_authorization_endpoint"} once it listens. Exits and
removes its files when its stdin closes.
"""

import json
import os
import secrets
import socket
import sys
import tempfile
import threading

import django
from django.conf import settings
from jwcrypto.jwk import JWK

NAME = "site_for_hallpass"
EMAIL, PASSWORD = "test@example.com", "password"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

folder = tempfile.TemporaryDirectory(prefix="django-oauth-toolkit.")
listener = socket.create_server(("127.0.0.1", 0))
ORIGIN = "http://127.0.0.1:%d" % listener.getsockname()[1]

# Replaces the toolkit's base page, which loads its style from another server.
PAGES = {
    "oauth2_provider/base.html": """<!doctype html><html lang="en"><title>Server</title><link rel="icon" href="data:,">
        {% block content %}{% endblock %}""",
    "login.html": """<!doctype html><html lang="en"><title>Sign in</title><link rel="icon" href="data:,">
        <h1>Sign in</h1><form method="post">{% csrf_token %}{{ form.as_p }}<button>Sign in</button></form>""",
}

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{folder.name}/database",
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    LOGIN_URL="/login/",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=NAME,
    SECRET_KEY=secrets.token_hex(),
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", PAGES),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    USE_TZ=True,
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "DEVICE_FLOW_INTERVAL": 1,
        "OAUTH2_VALIDATOR_CLASS": f"{NAME}.Validator",
        "OAUTH_DEVICE_VERIFICATION_URI": f"{ORIGIN}/o/device/",
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": JWK.generate(kty="RSA", size=2048).export_to_pem(True, None).decode(),
        "PKCE_REQUIRED": True,
        "REFRESH_TOKEN_EXPIRE_SECONDS": 86400,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "ROTATE_REFRESH_TOKEN": True,
        "SCOPES": {"openid": "who you are", "profile": "your name", "email": "your address"},
    },
)
# The settings refer to this file as a module of this name.
sys.modules[NAME] = sys.modules[__name__]
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider import urls as oauth2_urls  # noqa: E402
from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402
from waitress import serve  # noqa: E402


class Validator(OAuth2Validator):
    oidc_claim_scope = OAuth2Validator.oidc_claim_scope | {"name": "profile", "email": "email"}

    def get_additional_claims(self):
        return {"name": lambda request: request.user.get_full_name(), "email": lambda request: request.user.email}


urlpatterns = [
    path("login/", LoginView.as_view(template_name="login.html")),
    path("o/", include(oauth2_urls)),
    # RFC 8414 puts the well-known segment before the issuer's path.
    path("", include((oauth2_urls.metadata_urlpatterns, "root"), namespace="root")),
]


def fill():
    call_command("migrate", verbosity=0)
    User.objects.create_user(EMAIL, EMAIL, PASSWORD, first_name="Test", last_name="User")
    for client_id, grant in ("cli", "authorization-code"), ("cli-device", DEVICE_GRANT):
        get_application_model().objects.create(
            algorithm="RS256",
            authorization_grant_type=grant,
            client_id=client_id,
            client_type="public",
            name="Command line",
            redirect_uris="http://127.0.0.1/callback",
        )


def end_with_stdin():
    sys.stdin.buffer.read()
    folder.cleanup()
    os._exit(0)


fill()
threading.Thread(target=end_with_stdin, daemon=True).start()
ready = {
    "issuer": f"{ORIGIN}/o",
    "pid": os.getpid(),
    "client_id": "cli",
    "device_client_id": "cli-device",
    "device_authorization_endpoint": f"{ORIGIN}/o/device-authorization/",
}
print(json.dumps(ready), flush=True)
serve(get_wsgi_application(), sockets=[listener], threads=4, _quiet=True)
