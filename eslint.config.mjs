import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", ".ci/", "**/node_modules/", "examples/*/dist/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.json", "./lib/simulator/page/tsconfig.json", "./examples/*/tsconfig.json"],
      },
    },
    rules: {
      // A generic array reads better written out: Array<readonly [string, string]>.
      "@typescript-eslint/array-type": ["error", { default: "array-simple" }],
      // What is rarely used is loaded when it is: each such place says so.
      "@typescript-eslint/no-require-imports": [
        "error",
        {
          allow: [
            "^ajv/",
            "^body-parser$",
            "^luxon$",
            "^libphonenumber-js/mobile$",
            "^bullmq$",
            "^ioredis$",
            "^pg$",
            "^better-sqlite3$",
            "^libsql$",
          ],
        },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      // The runner waits for its tests itself.
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: "test" }] },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["lib/**/*.ts"],
    ignores: ["lib/base/errors.ts", "lib/simulator/page/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "NewExpression[callee.name=/^(?:Aggregate|Range|Syntax|Type)?Error$/]",
          message: "Each error has a code in lib/base/error-messages.ts: make it with lib/base/errors.ts.",
        },
      ],
    },
  },
  {
    // Handlers that throw what nobody should throw are among what is specified.
    files: ["spec/**/*.ts"],
    rules: {
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // What does not compile has no type to be safe about.
    files: ["spec/types/*.ts"],
    rules: { "@typescript-eslint/no-unsafe-call": "off" },
  },
  {
    files: ["**/*.{js,cjs,mjs}"],
    languageOptions: {
      globals: {
        require: "readonly",
        module: "writable",
        process: "readonly",
        console: "readonly",
        fetch: "readonly",
        setInterval: "readonly",
        setTimeout: "readonly",
        setImmediate: "readonly",
        performance: "readonly",
        AbortSignal: "readonly",
        Buffer: "readonly",
        URL: "readonly",
        URLSearchParams: "readonly",
        __dirname: "readonly",
      },
    },
  },
);
