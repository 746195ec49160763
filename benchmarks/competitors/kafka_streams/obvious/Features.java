package obvious;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * The 46 features of {@code benchmarks/competitors/obvious_features.py} as one writes them in Java: over the account's payments,
 * anew for each payment. A test compares the two.
 */
public final class Features {
    public static final long HOUR_MS = 3_600_000;
    public static final long DAY_MS = 24 * HOUR_MS;
    public static final long LONGEST_MS = 30 * DAY_MS;

    /** The order in which the values are computed. */
    public static final List<String> NAMES;

    private static final long[] WINDOWS_MS = {HOUR_MS, DAY_MS, 7 * DAY_MS, LONGEST_MS};
    private static final List<String> WINDOWS = List.of("1h", "1d", "7d", "30d");

    static {
        List<String> names = new ArrayList<>(List.of("amount", "seconds_since_last"));
        for (String window : WINDOWS) {
            List<String> ofWindow = new ArrayList<>(
                    List.of("count", "charge_total", "charge_mean", "charge_spread", "charge_maximum"));
            if (isLong(window)) {
                ofWindow.addAll(List.of("charge_ratio", "charge_zscore", "refund_count", "refund_total"));
            }
            ofWindow.forEach(name -> names.add(name + "_" + window));
        }
        names.add("refund_ratio_30d");
        for (String code : List.of("merchant_id", "country")) {
            WINDOWS.forEach(window -> names.add(code + "_distinct_" + window));
            names.add(code + "_unseen_30d");
        }
        names.addAll(List.of("hour_sine", "hour_cosine", "weekday_sine", "weekday_cosine", "amount_to_balance"));
        NAMES = List.copyOf(names);
    }

    private final int[] places;

    /** @param names the features in the model's order. */
    public Features(List<String> names) {
        places = names.stream().mapToInt(NAMES::indexOf).toArray();
    }

    /**
     * One value for each name, NaN where missing.
     *
     * @param past the account's payments of the last 30 days, oldest first.
     */
    public float[] of(Payment payment, List<PastPayment> past) {
        double[] values = new Computation(payment, past).values();
        float[] row = new float[places.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = places[i] < 0 ? Float.NaN : (float) values[places[i]];
        }
        return row;
    }

    private static boolean isLong(String window) {
        return window.equals("7d") || window.equals("30d");
    }

    /** The features of one payment, added one after the other in the order of the names. */
    private static final class Computation {
        private final Payment payment;
        private final List<PastPayment> past;
        private final double[] found = new double[NAMES.size()];
        private int next = 0;

        Computation(Payment payment, List<PastPayment> past) {
            this.payment = payment;
            this.past = past;
        }

        double[] values() {
            long now = payment.occurredAtMs();
            add(payment.amount());
            add(past.isEmpty() ? Double.NaN : (now - past.get(past.size() - 1).occurredAtMs()) / 1000.0);
            Amounts refunds = null;
            for (int i = 0; i < WINDOWS_MS.length; i++) {
                Amounts charges = new Amounts(past.size() + 1);
                refunds = new Amounts(past.size() + 1);
                int count = split(now - WINDOWS_MS[i], charges, refunds);
                add(count + 1);
                addCharges(charges);
                if (isLong(WINDOWS.get(i))) {
                    addAgainstHistory(charges);
                    addRefunds(refunds);
                }
            }
            addRefundRatio(refunds);
            addCodes(payment.merchantId(), PastPayment::merchantId);
            addCodes(payment.country(), PastPayment::country);
            addClock(now);
            boolean noBalance = payment.balance() == null || payment.balance() == 0.0;
            add(noBalance ? Double.NaN : payment.amount() / payment.balance());
            return found;
        }

        private void add(double value) {
            found[next++] = value;
        }

        /** The amounts since a moment in this payment's currency, by kind; returns the number of all payments. */
        private int split(long sinceMs, Amounts charges, Amounts refunds) {
            int count = 0;
            for (PastPayment one : past) {
                if (one.occurredAtMs() > sinceMs) {
                    count++;
                    if (Objects.equals(one.currency(), payment.currency())) {
                        (one.amount() >= 0 ? charges : refunds).add(Math.abs(one.amount()));
                    }
                }
            }
            return count;
        }

        private void addCharges(Amounts earlier) {
            Amounts charges = payment.amount() >= 0 ? earlier.with(payment.amount()) : earlier;
            add(charges.total());
            add(charges.mean());
            add(charges.spread());
            add(charges.maximum());
        }

        private void addAgainstHistory(Amounts earlier) {
            double amount = payment.amount();
            double mean = earlier.mean();
            boolean compared = amount >= 0 && earlier.count() > 0;
            add(compared && mean != 0.0 ? amount / mean : Double.NaN);
            double deviation = Math.max(earlier.spread(), 0.01 * Math.abs(mean));
            add(compared && earlier.count() > 1 && deviation != 0.0 ? (amount - mean) / deviation : Double.NaN);
        }

        private void addRefunds(Amounts earlier) {
            Amounts refunds = payment.amount() < 0 ? earlier.with(-payment.amount()) : earlier;
            add(refunds.count());
            add(refunds.total());
        }

        private void addRefundRatio(Amounts earlier) {
            boolean compared = payment.amount() < 0 && earlier.count() > 0 && earlier.mean() != 0.0;
            add(compared ? -payment.amount() / earlier.mean() : Double.NaN);
        }

        private void addCodes(String code, Function<PastPayment, String> of) {
            Map<String, Long> newest = new HashMap<>(); // a missing code is one of the keys, but is not counted
            for (PastPayment one : past) {
                newest.merge(of.apply(one), one.occurredAtMs(), Math::max);
            }
            Long last = newest.get(code);
            for (long window : WINDOWS_MS) {
                long sinceMs = payment.occurredAtMs() - window;
                int distinct = code != null && (last == null || last <= sinceMs) ? 1 : 0;
                for (Map.Entry<String, Long> one : newest.entrySet()) {
                    distinct += one.getKey() != null && one.getValue() > sinceMs ? 1 : 0;
                }
                add(distinct);
            }
            boolean seen = last != null && last > payment.occurredAtMs() - LONGEST_MS;
            add(past.isEmpty() ? Double.NaN : seen ? 0.0 : 1.0);
        }

        private void addClock(long now) {
            double hour = 2 * Math.PI * Math.floorMod(now, DAY_MS) / DAY_MS;
            double weekday = 2 * Math.PI * Math.floorMod(now + 3 * DAY_MS, 7 * DAY_MS) / (7 * DAY_MS);
            add(Math.sin(hour));
            add(Math.cos(hour));
            add(Math.sin(weekday));
            add(Math.cos(weekday));
        }
    }
}
