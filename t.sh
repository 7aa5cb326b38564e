ip link set lo up
chroot /tmp/brk/root rsyslogd -N1 -f /t/r.conf
chroot /tmp/brk/root rsyslogd -n -iNONE -f /t/r.conf > /tmp/brk/r.log 2>&1 & p=$!
sleep 2
cd /tmp/brk/root/t
try() { (printf '40 <134>1 - h a - - - %-20s' "$2"; sleep 1) | timeout 5 openssl s_client -connect 127.0.0.1:$1 -CAfile ca.crt $3 -quiet >/dev/null 2>/tmp/brk/s.err; grep -o 'alert.*' /tmp/brk/s.err | head -1; }
try 7001 anon-none
try 7002 known-none
try 7002 known-device "-cert device.crt -key device.key"
try 7002 known-stranger "-cert stranger.crt -key stranger.key"
try 7002 known-sensor "-cert sensor.crt -key sensor.key"
try 7003 named-none
try 7003 named-sensor "-cert sensor.crt -key sensor.key"
try 7003 named-revoked "-cert revoked.crt -key revoked.key"
try 7003 named-stranger "-cert stranger.crt -key stranger.key"
sleep 1; cat out; kill $p; wait; tail -30 /tmp/brk/r.log
