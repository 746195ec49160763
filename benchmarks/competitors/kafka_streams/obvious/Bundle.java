package obvious;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What the scores say of the model: names of its features, kind of its score, digests. */
public record Bundle(Path model, List<String> features, String scoreKind, String digest, String view) {
    private static final int DIGITS = 16;

    /** The bundle of a folder. */
    public static Bundle of(Path folder) throws IOException, NoSuchAlgorithmException {
        byte[] raw = Files.readAllBytes(folder.resolve("manifest.json"));
        JsonNode manifest = new ObjectMapper().readTree(raw);
        List<String> features = new ArrayList<>();
        manifest.get("features").forEach(name -> features.add(name.asText()));
        String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(raw));
        return new Bundle(
                folder.resolve("model.onnx"),
                features,
                manifest.get("score_kind").asText(),
                digest.substring(0, DIGITS),
                manifest.get("view_digest").asText());
    }
}
