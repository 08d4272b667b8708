/** Trino's server without the package that holds its `main`, which Maven Central does not have. */
public class Launch {
    public static void main(String[] arguments) {
        new io.trino.server.Server().start("435");
    }
}
