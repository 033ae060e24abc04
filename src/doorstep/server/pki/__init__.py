"""What strangers may ask about certificates: the revocation list and OCSP, over plain HTTP."""
