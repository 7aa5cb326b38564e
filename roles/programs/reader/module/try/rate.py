import socket
l=b'<189>date=2026-11-24 time=03:00:00 devname="f" devid="FGT100FTK20000001" eventtime=1795485600123456789 tz="+0100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.10.0.5 srcname="pc-1234" srcport=51000 srcintf="lan" srcintfrole="lan" dstip=198.51.100.80 dstport=443 dstintf="wan1" dstintfrole="wan" sessionid=123456 proto=6 action="close" policyid=12 policytype="policy" service="HTTPS" policyname="LAN to Internet" duration=121 sentbyte=4521 rcvdbyte=39122 sentpkt=35 rcvdpkt=42 appcat="unscanned"\n'
print(len(l))
s=socket.create_connection(("127.0.0.1",5514)); b=l*1000
for _ in range(300): s.sendall(b)
s.close()
