package obvious;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/** The model that riskstream runs, one row at a time on one thread. */
public final class Model implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    public Model(Path file) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        session = environment.createSession(file.toString(), options);
    }

    /** The score of one row of features. */
    public float score(float[] row) {
        long[] shape = {1, row.length};
        try (OnnxTensor features = OnnxTensor.createTensor(environment, FloatBuffer.wrap(row), shape);
                OrtSession.Result result = session.run(Map.of("features", features))) {
            return ((float[]) result.get(0).getValue())[0];
        } catch (OrtException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Version of the runtime. */
    public String version() {
        return environment.getVersion();
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
