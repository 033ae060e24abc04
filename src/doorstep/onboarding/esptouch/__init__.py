"""ESP-Touch (SmartConfig): a phone on the network says name and password in the lengths of its datagrams.

Frame lengths stay visible under any Wi-Fi encryption. So a board without a key reads them in monitor
mode, and so does everybody else in reach.
"""
