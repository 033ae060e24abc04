"""BluFi: Espressif's Wi-Fi set-up over Bluetooth LE, both roles.

Its key exchange says nothing of who is at the other end. So it keeps a listener out, and nobody who
puts himself in between; it is here for boards and apps that speak nothing else.
"""
