// Java's HttpClient and HttpURLConnection: neither reads a proxy variable. Run by `java HttpGet.java`.
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class HttpGet {
    public static void main(String[] given) {
        URI url = URI.create(given.length > 0 ? given[0] : "https://echo.example/reflect");
        String key = "Bearer " + System.getenv().getOrDefault("TOKEN", "none");
        try {
            HttpRequest ask = HttpRequest.newBuilder(url).header("Authorization", key).build();
            HttpResponse<String> got = HttpClient.newHttpClient().send(ask, HttpResponse.BodyHandlers.ofString());
            HttpURLConnection old = (HttpURLConnection) url.toURL().openConnection();
            old.setRequestProperty("Authorization", key);
            String also = new String(old.getInputStream().readAllBytes());
            System.out.printf("{\"client\": \"java\", \"status\": [%d, %d], \"got\": %s, \"also\": %s}%n",
                got.statusCode(), old.getResponseCode(), got.body(), also);
        } catch (Exception why) {
            System.out.printf("{\"client\": \"java\", \"error\": \"%s\"}%n", why.toString().replace('"', ' '));
        }
    }
}
