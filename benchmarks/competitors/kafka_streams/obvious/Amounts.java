package obvious;

/** Amounts that were collected; what needs at least one is NaN where there is none. */
final class Amounts {
    private final double[] values;
    private int count = 0;

    /** @param most how many there may be. */
    Amounts(int most) {
        values = new double[most];
    }

    void add(double amount) {
        values[count++] = amount;
    }

    /** These and one more; the receiver stays as it is. */
    Amounts with(double amount) {
        Amounts more = new Amounts(count + 1);
        System.arraycopy(values, 0, more.values, 0, count);
        more.count = count;
        more.add(amount);
        return more;
    }

    int count() {
        return count;
    }

    double total() {
        double total = 0.0;
        for (int i = 0; i < count; i++) {
            total += values[i];
        }
        return total;
    }

    double mean() {
        return count == 0 ? Double.NaN : total() / count;
    }

    /** Population standard deviation. */
    double spread() {
        double mean = mean();
        double squares = 0.0;
        for (int i = 0; i < count; i++) {
            squares += (values[i] - mean) * (values[i] - mean);
        }
        return count == 0 ? Double.NaN : Math.sqrt(squares / count);
    }

    double maximum() {
        double maximum = Double.NaN;
        for (int i = 0; i < count; i++) {
            maximum = i == 0 ? values[i] : Math.max(maximum, values[i]);
        }
        return maximum;
    }
}
