"""The gateway: a device that carries its children's sealed messages, unopened, over its own session."""
