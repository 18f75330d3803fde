"""Checks an exported audit chain with the public key alone, as docs/audit.md says that one can.

Usage: python3 tests/support/audit_export.py EXPORT.jsonl audit.pub

Written from the document, not from weir's sources: it shares no line with them. Signatures are checked
by the openssl program.
"""

import hashlib
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) up to the 32 bytes of the key.
PUBLIC_KEY_PREFIX = bytes.fromhex("302a300506032b6570032100")


def text(value):
    encoded = value.encode()
    return struct.pack(">I", len(encoded)) + encoded


def canonical(entry):
    return (text("weir.entry") + b"\x01" + bytes.fromhex(entry["previous_hash"])
            + struct.pack(">QQ", entry["number"], entry["timestamp_us"])
            + b"".join(text(entry[name]) for name in ("actor", "action", "subject", "details")))


def is_signature(public_key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        key, data, mac = (Path(folder) / name for name in ("key", "data", "signature"))
        key.write_bytes(PUBLIC_KEY_PREFIX + public_key)
        data.write_bytes(message)
        mac.write_bytes(signature)
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER",
                               "-inkey", key, "-rawin", "-in", data, "-sigfile", mac],
                              capture_output=True, check=False)
        return done.returncode == 0


def check_checkpoint(entry, first, digest, public_key):
    """What is wrong with the checkpoint, or None. `first` is None where the export begins later."""
    details = json.loads(entry["details"])
    if "signature" not in details:
        return "it is not signed"
    if first is None:
        return None
    if details["first"] != first or details["digest"] != digest.hex():
        return "it was signed over other entries"
    message = (text("weir.checkpoint") + b"\x01"
               + struct.pack(">QQQ", entry["number"], first, entry["timestamp_us"])
               + bytes.fromhex(entry["previous_hash"]) + digest)
    if not is_signature(public_key, message, bytes.fromhex(details["signature"])):
        return "the signature is wrong"
    return None


def check(lines, public_key):
    """Returns what is wrong, as sentences, and the number of the last checkpoint that holds."""
    findings, signed_up_to = [], 0
    first, digest, before = None, hashlib.sha256(), None
    for line in lines:
        entry = json.loads(line)
        number = entry["number"]
        if before is None and number == 1:
            first = 1
        if before is not None and number != before["number"] + 1:
            findings.append(f"entry {number} follows entry {before['number']}")
        if before is not None and entry["previous_hash"] != before["hash"]:
            findings.append(f"entry {number} does not continue entry {before['number']}")
        if entry["action"] == "checkpoint":
            fault = check_checkpoint(entry, first, digest.digest(), public_key)
            if fault:
                findings.append(f"checkpoint {number}: {fault}")
            elif first is not None:
                signed_up_to = number
            first, digest = number, hashlib.sha256()
        digest.update(canonical(entry) + bytes.fromhex(entry["hash"]))
        before = entry
    return findings, signed_up_to


def main():
    public_key = bytes.fromhex(Path(sys.argv[2]).read_text().strip())
    with open(sys.argv[1], encoding="utf-8") as export:
        findings, signed_up_to = check(export, public_key)
    for finding in findings:
        print(finding)
    print(f"signed up to entry {signed_up_to}, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
