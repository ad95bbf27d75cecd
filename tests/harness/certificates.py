# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for tests: authorities, servers and clients, in files as users have them."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

#: What encrypts the keys that are encrypted; nobody is ever to be asked for it.
PASSPHRASE = "a passphrase that nobody is asked for"


class _PatientContext(ssl.SSLContext):
    """Lets a client read why it is refused: closing at once, with its request unread, may take the alert away."""

    def wrap_socket(self, connection: socket.socket, **options: Any) -> ssl.SSLSocket:
        wrapped = super().wrap_socket(connection, do_handshake_on_connect=False, **options)
        try:
            wrapped.do_handshake()
        except OSError:
            with contextlib.closing(wrapped), contextlib.suppress(OSError):
                wrapped.settimeout(2)
                socket.socket.shutdown(wrapped, socket.SHUT_WR)
                while socket.socket.recv(wrapped, 65536):
                    pass
            raise
        return wrapped


class Certificates:
    """Files in a folder: two authorities that know nothing of each other, and clients that the first one knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca_path = self._write("ca.pem", self._authority.cert_pem.bytes())
        self._other = trustme.CA()
        self.other_ca_path = self._write("other-ca.pem", self._other.cert_pem.bytes())
        self.client = self._issue("client", self._authority, "client.example.com")
        self.second_client = self._issue("second-client", self._authority, "second.example.com")
        self.foreign_client = self._issue("foreign-client", self._other, "foreign.example.com")
        #: Certificate and key in one file.
        self.client_in_one = self._write("client-in-one.pem", self.client[0].read_bytes() + self.client[1].read_bytes())
        #: The certificate and key of a server, for those that want files.
        self.server = self._issue("server", self._authority, "localhost", "127.0.0.1", "::1")

    def hashed_folder(self) -> Path:
        """A folder with the authority's certificate under the name by which OpenSSL looks for it."""
        certificate = x509.load_pem_x509_certificate(self.ca_path.read_bytes())
        folder = self._folder / "hashed"
        folder.mkdir(exist_ok=True)
        (folder / f"{_subject_hash(certificate)}.0").write_bytes(self.ca_path.read_bytes())
        return folder

    def encrypted_key(self, *, traditional: bool = False) -> Path:
        """The first client's key, encrypted: as PKCS#8, or as OpenSSL used to write it."""
        key = serialization.load_pem_private_key(self.client[1].read_bytes(), None)
        form = serialization.PrivateFormat
        text = key.private_bytes(
            serialization.Encoding.PEM,
            form.TraditionalOpenSSL if traditional else form.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE.encode()),
        )
        return self._write(f"encrypted-{'traditional' if traditional else 'pkcs8'}.key", text)

    def encrypted_in_one(self) -> Path:
        """The first client's certificate and its encrypted key in one file."""
        return self._write(
            "encrypted-in-one.pem", self.client[0].read_bytes() + self.encrypted_key(traditional=False).read_bytes()
        )

    def server_context(
        self,
        *names: str,
        foreign: bool = False,
        common_name: str | None = None,
        ask: bool = False,
        versions: tuple[ssl.TLSVersion, ssl.TLSVersion] | None = None,
    ) -> ssl.SSLContext:
        """The context of a server.

        :arg names: other names than those of this machine.
        :arg foreign: whether its certificate is of the other authority.
        :arg common_name: a name that its certificate has as common name only, beside C(names), of which there may be none.
        :arg ask: whether it accepts only clients with a certificate of the first authority.
        :arg versions: the lowest and the highest version of TLS.
        """
        context = _PatientContext(ssl.PROTOCOL_TLS_SERVER)
        if versions:
            context.minimum_version, context.maximum_version = versions
            if versions[1] < ssl.TLSVersion.TLSv1_2:
                # What these versions need is not secure enough for OpenSSL's own default.
                context.set_ciphers("ALL:@SECLEVEL=0")
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_path)
        authority = self._other if foreign else self._authority
        if common_name is not None and not names:
            context.load_cert_chain(self._without_other_names(common_name))
        else:
            names = names or ("localhost", "127.0.0.1", "::1")
            authority.issue_cert(*names, common_name=common_name).configure_cert(context)
        return context

    def _without_other_names(self, common_name: str) -> Path:
        """A file with the key and the certificate of a server whose name is the common name, as before RFC 2818."""
        issued = self._authority.issue_cert("replaced.example.com", common_name=common_name)
        template = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
        authority_key = serialization.load_pem_private_key(self._authority.private_key_pem.bytes(), None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(template.subject)
            .issuer_name(template.issuer)
            .public_key(template.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(template.not_valid_before_utc)
            .not_valid_after(template.not_valid_after_utc)
        )
        for extension in template.extensions:
            if extension.oid != x509.oid.ExtensionOID.SUBJECT_ALTERNATIVE_NAME:
                builder = builder.add_extension(extension.value, extension.critical)
        certificate = builder.sign(authority_key, hashes.SHA256())
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return self._write("common-name-only.pem", issued.private_key_pem.bytes() + pem)

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def _issue(self, name: str, authority: trustme.CA, *identities: str) -> tuple[Path, Path]:
        issued = authority.issue_cert(*identities)
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        return self._write(f"{name}.pem", chain), self._write(f"{name}.key", issued.private_key_pem.bytes())


def _subject_hash(certificate: x509.Certificate) -> str:
    """The hash in the file names of OpenSSL's folders, as its C(x509 -hash) prints it."""
    plain = x509.Name(
        [x509.NameAttribute(part.oid, " ".join(str(part.value).lower().split())) for part in certificate.subject]
    ).public_bytes()
    # Without the tag and the length around the parts of the name.
    length = 2 + (plain[1] & 0x7F if plain[1] & 0x80 else 0)
    return f"{int.from_bytes(hashlib.sha1(plain[length:]).digest()[:4], 'little'):08x}"
