"""Files that strangers sent are handed out as downloads that no browser runs."""

from django.http import HttpResponse

from doorstep.server.custody.changing import CaseFile

__all__ = ["handed_out"]


def handed_out(kept: CaseFile) -> HttpResponse:
    """Answer with a paper of a case."""
    answer = HttpResponse(bytes(kept.content), content_type=kept.kind)
    name = kept.name.encode("ascii", "replace").decode()
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
