"""What a command means where nothing else is named."""

EXCHANGE = "cholsan-2019"
"""Id of the exchange that commands are about."""
