import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Locale;

/** Resolve a name and connect to its first address, some times over: Resolve NAME PORT TIMES PAUSE_MS. */
public class Resolve {
    public static void main(String[] given) throws InterruptedException {
        for (int turn = 0; turn < Integer.parseInt(given[2]); turn++) {
            if (turn > 0) {
                Thread.sleep(Long.parseLong(given[3]));
            }
            once(given[0], Integer.parseInt(given[1]));
        }
    }

    private static void once(String name, int port) {
        double started = System.currentTimeMillis() / 1e3;
        int addresses = 0;
        boolean connected = false;
        String error = "";
        double took = 0;
        try {
            InetAddress[] found = InetAddress.getAllByName(name);
            took = System.currentTimeMillis() / 1e3 - started;
            addresses = found.length;
            connected = connects(found[0], port);
        } catch (java.net.UnknownHostException unknown) {
            took = System.currentTimeMillis() / 1e3 - started;
            error = "unknown host";
        }
        System.out.printf(
            Locale.ROOT,
            "{\"name\": \"%s\", \"started\": %.3f, \"took_s\": %.3f, \"addresses\": %d, \"connected\": %b, \"error\": \"%s\"}%n",
            name, started, took, addresses, connected, error);
    }

    private static boolean connects(InetAddress address, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 3000);
            return true;
        } catch (java.io.IOException refused) {
            return false;
        }
    }
}
