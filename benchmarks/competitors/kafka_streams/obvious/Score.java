package obvious;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A score record, of the form and size of riskstream's. */
public record Score(
        @JsonProperty("score_id") String scoreId,
        @JsonProperty("scorer") String scorer,
        @JsonProperty("event_id") String eventId,
        @JsonProperty("entity") String entity,
        @JsonProperty("source") Source source,
        @JsonProperty("occurred_at_ms") long occurredAtMs,
        @JsonProperty("value") double value,
        @JsonProperty("level") String level,
        @JsonProperty("features") byte[] features,
        @JsonProperty("depth") int depth,
        @JsonProperty("score_kind") String scoreKind,
        @JsonProperty("bundle") String bundle,
        @JsonProperty("policy") String policy,
        @JsonProperty("view") String view,
        @JsonProperty("runtime") String runtime) {

    /** Where the payment came from. */
    public record Source(String topic, int partition, long offset) {}
}
