package obvious;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** An account's payments of the last 30 days, oldest first, and their bytes in the state store. */
public final class History {
    private static final int MISSING = -1;
    private static final int BYTES_OF_ONE = 48;

    private History() {}

    /** A list of one's own without those that are 30 days old at a moment in event time. */
    public static List<PastPayment> recent(List<PastPayment> payments, long nowMs) {
        int first = 0;
        while (first < payments.size() && payments.get(first).occurredAtMs() <= nowMs - Features.LONGEST_MS) {
            first++;
        }
        return new ArrayList<>(payments.subList(first, payments.size()));
    }

    /** Puts one in by its time; a late one lands between its neighbours. */
    public static void insert(List<PastPayment> payments, PastPayment one) {
        int place = payments.size();
        while (place > 0 && payments.get(place - 1).occurredAtMs() > one.occurredAtMs()) {
            place--;
        }
        payments.add(place, one);
    }

    /** The bytes of a history. */
    public static byte[] toBytes(List<PastPayment> payments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(BYTES_OF_ONE * payments.size());
        DataOutputStream out = new DataOutputStream(bytes);
        try {
            for (PastPayment one : payments) {
                out.writeLong(one.occurredAtMs());
                out.writeDouble(one.amount());
                writeText(out, one.currency());
                writeText(out, one.merchantId());
                writeText(out, one.country());
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return bytes.toByteArray();
    }

    /** The history of bytes; an empty one where there are none. */
    public static List<PastPayment> fromBytes(byte[] bytes) {
        List<PastPayment> payments = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(bytes == null ? new byte[0] : bytes);
        while (in.hasRemaining()) {
            payments.add(new PastPayment(in.getLong(), in.getDouble(), readText(in), readText(in), readText(in)));
        }
        return payments;
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        if (text == null) {
            out.writeShort(MISSING);
        } else {
            byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
            out.writeShort(encoded.length);
            out.write(encoded);
        }
    }

    private static String readText(ByteBuffer in) {
        int length = in.getShort();
        if (length == MISSING) {
            return null;
        }
        String text = new String(in.array(), in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return text;
    }
}
