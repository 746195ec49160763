package obvious;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/** A payment as its topic has it, of the fields that are used; what may be missing is null. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Payment(
        @JsonProperty(value = "event_id", required = true) String eventId,
        @JsonProperty(value = "occurred_at_ms", required = true) long occurredAtMs,
        @JsonProperty(value = "account_id", required = true) String accountId,
        @JsonProperty(value = "amount", required = true) double amount,
        @JsonProperty("currency") String currency,
        @JsonProperty("merchant_id") String merchantId,
        @JsonProperty("country") String country,
        @JsonProperty("balance") Double balance) {}
