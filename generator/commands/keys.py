"""`prior-art key`: make a signing key, or show the verification key of one."""

from pathlib import Path

from generator.base.publication import Outcome, Publication


def new_key(publication: Publication, path: Path) -> Outcome:
    import secrets

    from generator.publish.keyfile import write_new_key

    vkey = write_new_key(path, publication.settings, publication.output, secrets.token_bytes(32)).text
    publication.report(f"key: the signing key is in {path}; keep it secret, and keep a copy where it cannot be lost")
    publication.report(f'key: pin its verification key in prior-art.toml:  vkey = "{vkey}"')
    return Outcome((vkey,), {"vkey": vkey, "file": str(path)})


def show_key(publication: Publication, key_file: Path | None) -> Outcome:
    from generator.publish.keyfile import signing_key_of

    vkey = signing_key_of(publication, key_file).verification_key.text
    return Outcome((vkey,), {"vkey": vkey, "origin": publication.settings.log_origin})
