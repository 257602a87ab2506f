"""Units of a user's systemd that serve a profile to other machines: a socket and its service.

Knows: what systemd reads. Independent of: plans. Pure. The socket is systemd's: it listens before
the server has begun, and connections that come during a restart wait there.
"""

from __future__ import annotations

from openclaude.export.served import PORT
from openclaude.export.services import Service, line, variable_lines

GRACE_S = 30  # of streams; nobody else is answered meanwhile


def socket_units(service: Service) -> dict[str, str]:
    """The two units."""
    name = f"openclaude-serve-{service.profile}"
    folder = "%E/openclaude/serve"
    command = line(service.command("serve", service.profile))
    socket = f"""\
# Made by `openclaude export systemd-server {service.profile}`.
[Unit]
Description=openclaude: the port of the models of the profile {service.profile}

[Socket]
ListenStream=0.0.0.0:{PORT}
Backlog=512
NoDelay=yes

[Install]
WantedBy=sockets.target
"""
    unit = f"""\
# Made by `openclaude export systemd-server {service.profile}`. In ~/.config/openclaude/serve it
# reads cert.pem and key.pem, the server's certificate and its key, and people.keys:
#   openclaude team add NAME --keys ~/.config/openclaude/serve/people.keys
# `loginctl enable-linger` lets it run while its user is not logged in.
[Unit]
Description=openclaude: the models of the profile {service.profile} for other machines
Documentation=man:openclaude(1)
Requires={name}.socket
After={name}.socket

[Service]
Type=exec
{variable_lines(service)}ExecStart={command} --cert {folder}/cert.pem --cert-key {folder}/key.pem \\
  --keys {folder}/people.keys --grace {GRACE_S}
# the end by SIGTERM: the socket stays, and what comes meanwhile waits for the next one
KillMode=mixed
TimeoutStopSec={GRACE_S + 15}
Restart=on-failure
RestartSec=2
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""
    return {f"{name}.socket": socket, f"{name}.service": unit}
