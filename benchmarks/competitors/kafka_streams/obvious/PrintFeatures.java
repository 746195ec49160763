package obvious;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * For the test: reads payments as JSON lines in the order of their arrival and prints for each one its features in the
 * order of the arguments, one line of numbers. Histories go through their bytes, as in the state store.
 */
public final class PrintFeatures {
    private PrintFeatures() {}

    public static void main(String[] names) throws IOException {
        ObjectMapper json = new ObjectMapper();
        Features features = new Features(List.of(names));
        Map<String, byte[]> store = new HashMap<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Payment payment = json.readValue(line, Payment.class);
            List<PastPayment> past =
                    History.recent(History.fromBytes(store.get(payment.accountId())), payment.occurredAtMs());
            StringBuilder row = new StringBuilder();
            for (float value : features.of(payment, past)) {
                row.append(value).append(' ');
            }
            System.out.println(row);
            History.insert(past, PastPayment.of(payment));
            store.put(payment.accountId(), History.toBytes(past));
        }
    }
}
