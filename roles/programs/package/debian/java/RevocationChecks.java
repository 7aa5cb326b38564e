package vaern;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's own TLS (ssl.engine.factory.class), which also refuses certificates that the authority has revoked.
 *
 * <p>The list is /etc/vaern/pki/revoked.crl, signed by the authority of the trust store. It is looked at again when it has
 * changed, so that a relay is refused from the next handshake on and nothing is restarted; a connection that is open already
 * ends within seconds. Without a list that the
 * authority has signed the listener does not start; one that comes later and is not good leaves the one before it in force.
 */
public final class RevocationChecks extends DefaultSslEngineFactory {
    private static final Logger LOG = LoggerFactory.getLogger(RevocationChecks.class);

    /**
     * Seconds. A session that is taken up again is checked by nobody, so none may be. A ticket of TLS 1.3 may live for seven
     * days (RFC 8446, 4.6.1): Java sends no tickets for sessions that live longer.
     */
    private static final int LONGER_THAN_A_TICKET_MAY_LIVE = 7 * 24 * 3600 + 1;

    private static final long SECONDS_BETWEEN_LOOKS = 1;

    private final Set<SSLEngine> open = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "revocation-checks");
        thread.setDaemon(true);
        return thread;
    });
    private SSLContext context;

    @Override
    public void configure(Map<String, ?> configs) {
        super.configure(configs);
        try {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(keystore(), null);
            TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
            trusted.init(truststore());
            Revoked revoked = new Revoked(Path.of("/etc/vaern/pki/revoked.crl"), issuer(truststore()));
            context = SSLContext.getInstance((String) configs.get(SslConfigs.SSL_PROTOCOL_CONFIG));
            context.init(
                    keys.getKeyManagers(),
                    new TrustManager[] {new Checked((X509ExtendedTrustManager) trusted.getTrustManagers()[0], revoked)},
                    null);
            context.getServerSessionContext().setSessionTimeout(LONGER_THAN_A_TICKET_MAY_LIVE);
            looking.scheduleWithFixedDelay(
                    () -> endRevoked(revoked.current()), SECONDS_BETWEEN_LOOKS, SECONDS_BETWEEN_LOOKS, TimeUnit.SECONDS);
        } catch (GeneralSecurityException | IOException error) {
            throw new KafkaException("TLS cannot be set up: " + error.getMessage(), error);
        }
    }

    @Override
    public SSLEngine createServerSslEngine(String host, int port) {
        SSLEngine engine = context.createSSLEngine(host, port);
        engine.setUseClientMode(false);
        // Versions, ciphers and the demand for a certificate, as Kafka understands its settings.
        engine.setSSLParameters(super.createServerSslEngine(host, port).getSSLParameters());
        open.add(engine);
        return engine;
    }

    @Override
    public void close() {
        looking.shutdownNow();
        super.close();
    }

    /** Kafka ends a connection as soon as its engine is closed and anything is read or written. */
    private void endRevoked(X509CRL list) {
        List<SSLEngine> engines;
        synchronized (open) {
            engines = List.copyOf(open);
        }
        for (SSLEngine engine : engines) {
            try {
                X509Certificate shown = (X509Certificate) engine.getSession().getPeerCertificates()[0];
                if (!engine.isInboundDone() && list.isRevoked(shown)) {
                    LOG.warn("A connection with a revoked certificate was ended: {}", shown.getSubjectX500Principal());
                    engine.closeOutbound();
                    engine.closeInbound();
                }
            } catch (SSLException error) {
                // It has shown no certificate, or has not said that it ends, which is why it is ended here.
                continue;
            }
        }
    }

    private static X509Certificate issuer(KeyStore store) throws GeneralSecurityException {
        return (X509Certificate) store.getCertificate(store.aliases().nextElement());
    }

    /** The authority's list, as it is in the file now. */
    private static final class Revoked {
        private final Path file;
        private final X509Certificate issuer;
        private X509CRL current;
        private Object seen;
        private boolean missed;

        Revoked(Path file, X509Certificate issuer) throws GeneralSecurityException, IOException {
            this.file = file;
            this.issuer = issuer;
            seen = state();
            current = read();
        }

        synchronized X509CRL current() {
            try {
                Object now = state();
                if (!now.equals(seen)) {
                    seen = now;
                    current = read();
                }
                missed = false;
            } catch (GeneralSecurityException | IOException error) {
                if (missed) {
                    return current;
                }
                missed = true;
                LOG.error("{} is not signed by the authority, so the list before it holds: {}", file, error.getMessage());
            }
            return current;
        }

        private Object state() throws IOException {
            // Each list is a new file, put in the place of the one before.
            return List.of(Files.getLastModifiedTime(file), Files.getAttribute(file, "unix:ino"));
        }

        private X509CRL read() throws GeneralSecurityException, IOException {
            try (InputStream text = Files.newInputStream(file)) {
                X509CRL found = (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(text);
                found.verify(issuer.getPublicKey());
                return found;
            }
        }
    }

    /** The usual checks of a client's certificate, and then the list. */
    private static final class Checked extends X509ExtendedTrustManager {
        private final X509ExtendedTrustManager usual;
        private final Revoked revoked;

        Checked(X509ExtendedTrustManager usual, Revoked revoked) {
            this.usual = usual;
            this.revoked = revoked;
        }

        private void refuseRevoked(X509Certificate[] chain) throws CertificateException {
            if (revoked.current().isRevoked(chain[0])) {
                LOG.warn("A revoked certificate was refused: {}", chain[0].getSubjectX500Principal());
                throw new CertificateException("the certificate is revoked");
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
            usual.checkClientTrusted(chain, type, engine);
            refuseRevoked(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
            usual.checkClientTrusted(chain, type, socket);
            refuseRevoked(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            usual.checkClientTrusted(chain, type);
            refuseRevoked(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
            usual.checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
            usual.checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            usual.checkServerTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return usual.getAcceptedIssuers();
        }
    }
}
