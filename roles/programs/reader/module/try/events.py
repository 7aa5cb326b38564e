import socket,time
def tcp(b,p=5514):
    s=socket.create_connection(("127.0.0.1",p)); s.sendall(b); time.sleep(.3); s.close()
tcp(b'20261129 13:00:00 x\n<189>date=2026-11-24 time=03:00:00 devname="f" eventtime=1795485600123456789 tz="+0100" type="traffic" srcip=10.10.0.5 srcport=51000 srcintf="lan" dstip=198.51.100.80 dstport=443 proto=6 action="close" policyid=12 user="010203-1234" sentbyte=4521 rcvdbyte=39122\n')
tcp(b'<13>just text\x01 010203-1234 bl\xe5b\n<134>Jan  1 00:00:01 h a: "x"\n',5515)
