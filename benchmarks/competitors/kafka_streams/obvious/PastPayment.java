package obvious;

/** What is remembered of a payment; what was missing is null. */
public record PastPayment(long occurredAtMs, double amount, String currency, String merchantId, String country) {

    public static PastPayment of(Payment payment) {
        return new PastPayment(
                payment.occurredAtMs(), payment.amount(), payment.currency(), payment.merchantId(), payment.country());
    }
}
