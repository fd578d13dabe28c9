"""Service accounts of Google's form, with keys of the test's own."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def a_private_key() -> rsa.RSAPrivateKey:
    """A new key; takes some tenths of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_service_account(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The file that Google gives out."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "type": "service_account",
        "project_id": "my-project-1",
        "private_key_id": "0123456789abcdef",
        "private_key": pem,
        "client_email": "tester@my-project-1.iam.gserviceaccount.com",
        "client_id": "1234",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
