#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
set -e
adduser --system --group --quiet --home /var/lib/weir --no-create-home weir
chown root:weir /etc/weir/weir.yaml
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# A new package takes over from the old one; the first start is left to whoever has written the settings.
	systemctl try-restart weir.service
fi
