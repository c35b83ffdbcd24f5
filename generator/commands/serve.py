"""`prior-art serve`: the built site on this machine."""

from generator.base.publication import Outcome, Publication


def serve(publication: Publication, port: int) -> Outcome:
    from generator.site.serve import serve

    serve(publication.site, publication.settings.site_url, port, publication.report)
    return Outcome((), {"port": port})
