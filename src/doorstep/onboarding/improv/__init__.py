"""Improv Wi-Fi over Bluetooth LE and over a serial line, both roles.

Everything is in the open. What stands against a stranger is a button on the device: Wi-Fi settings are
taken for a minute after it was pressed. The device hands no ownership over here: it answers with the
address of the portal's page, where its customer logs in and claims it.
"""
