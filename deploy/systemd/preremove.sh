#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl disable --now weir.service
fi
