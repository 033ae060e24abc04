"""The protobuf messages of local provisioning (protocomm): session, scan, config, ctrl, Doorstep's delivery.

Field numbers are those of both message generations in use: they never differed on the wire.
"""
