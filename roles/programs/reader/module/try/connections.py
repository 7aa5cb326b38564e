import socket,ssl,time,sys,os,threading
good=lambda t,n: b"".join(f"<134>1 2026-11-29T13:00:00Z h a - - - {t}{i:06}.\n".encode() for i in range(n))
def c(m): return b"%d %s"%(len(m),m)
def conn(kind):
    if kind=="tcp": return socket.create_connection(("127.0.0.1",5514))
    x=ssl.create_default_context(); x.check_hostname=False; x.verify_mode=ssl.CERT_NONE
    return x.wrap_socket(socket.create_connection(("127.0.0.1",6514)))
for kind in ("tcp","tls"):
    s=conn(kind); s.sendall(b"2026-11-29 13:00:00 hello\n"+good(kind+"A",500)); s.sendall(b"".join(c(l) for l in good(kind+"B",500).split(b"\n") if l)); s.sendall(b"".join(l+b"\0" for l in good(kind+"C",500).split(b"\n") if l))
    s.sendall(b"500 Internal\n"+good(kind+"D",20000)); s.sendall(c(b"<134>1 long "+b"x"*200000)); s.sendall(b"<13>"+b"y"*70000+b"\n"); s.sendall(b"<13>the last, without its end "+kind.encode()); time.sleep(1)
    if kind=="tls":
        try: s.unwrap()
        except Exception as e: print(e)
    s.close(); time.sleep(1)
# many at once in small pieces
def slow(i):
    s=conn("tcp" if i%2 else "tls")
    data=good(f"E{i:02}-",200)
    for k in range(0,len(data),37): s.sendall(data[k:k+37])
    time.sleep(1); s.close()
ts=[threading.Thread(target=slow,args=(i,)) for i in range(20)]; [t.start() for t in ts]; [t.join() for t in ts]
