"""The board's doors for its set-up, and the service that keeps them open while somebody is needed."""
