"""The SDK and agent for Linux boards: transports, key store, registration."""
