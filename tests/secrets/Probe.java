import java.net.Socket;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/** Dials 127.0.0.1 for a name as an HTTPS client would, with the default trust store. */
class Probe {
    public static void main(String[] words) throws Exception {
        int port = Integer.parseInt(words[1]);
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        try (SSLSocket socket = (SSLSocket) factory.createSocket(new Socket("127.0.0.1", port), words[0], port, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
        } catch (java.io.IOException why) {
            System.out.println(why.getMessage());
            System.exit(1);
        }
    }
}
