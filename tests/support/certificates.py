"""A throw-away certificate authority for one test run, made with the openssl program."""

import ssl
import subprocess
from pathlib import Path


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def validity(days):
    """The options for so many days from now. OpenSSL 3.4 and later take a negative number no more,
    and earlier ones take no dates."""
    if int(days) >= 0:
        return ["-days", days]
    known = subprocess.run(["openssl", "x509", "-help"], capture_output=True, text=True).stderr
    if "-not_after" in known:
        return ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"]
    return ["-days", days]


class Authority:
    """Signs certificates; `certificate` is the path of its own."""

    def __init__(self, folder, name="weir test authority"):
        self.folder = Path(folder)
        self.certificate = self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign", folder=self.folder)

    def sign(self, name, subject_names="DNS:localhost,IP:127.0.0.1", days="2"):
        """A certificate and its key, as two paths. Negative days: one that has expired."""
        request, key, made = f"{name}.csr", f"{name}.key", f"{name}.pem"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", request, "-subj", f"/CN={name}", folder=self.folder)
        (self.folder / f"{name}.ext").write_text(
            f"subjectAltName={subject_names}\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("x509", "-req", "-in", request, "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", made, *validity(days), "-extfile", f"{name}.ext",
                folder=self.folder)
        return self.folder / made, self.folder / key

    def server_context(self, name, **options):
        """What a server needs that presents such a certificate."""
        certificate, key = self.sign(name, **options)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def client_context(self, alpn=("http/1.1",)):
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols(list(alpn))
        return context
