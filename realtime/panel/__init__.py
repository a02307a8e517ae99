"""The panel: a page, an HTTP API and WebSockets on the stream's knobs, served to this machine.

What is known of the stream is :class:`realtime.panel.console_protocol.Console`; nothing here
touches an engine or a device.
"""
