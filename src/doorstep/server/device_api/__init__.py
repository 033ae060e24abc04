"""What devices call: ``/device/v1``, a Starlette process over the same database and cores."""
