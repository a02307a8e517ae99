"""What the version before paths of stages played: sounds to null against."""
