// The specs drive the package as it is published: they import the build by its name, so `npm run build` comes first.
export default {
  testMatch: ["<rootDir>/spec/**/*.spec.ts"],
  // One for each core: jest leaves one core free, which is half of a small machine.
  maxWorkers: "100%",
  // For what never ends, and no measure: a spec that starts processes takes long on a busy machine.
  testTimeout: 30_000,
  modulePathIgnorePatterns: ["<rootDir>/bench/", "<rootDir>/examples/"],
  // For `npm run coverage`, as V8 counts it in the built files. Processes that specs start are not counted: so neither
  // is the command, whose specs run it as its users do, nor the thread of sqliteInbox.
  coverageProvider: "v8",
  collectCoverageFrom: [
    "dist/**/*.js",
    "!dist/command/**",
    "!dist/provider/request.js",
    "!dist/inbox/sqlite/thread/{sqlite-thread,wire}.js",
    "!dist/callback/{compile-schema,schema,validators}.js",
    "!dist/simulator/page/*",
  ],
  coverageThreshold: { global: { statements: 95, branches: 96, functions: 97, lines: 95 } },
  coverageReporters: ["text-summary", "lcovonly"],
  transform: {
    "\\.ts$": [
      "babel-jest",
      {
        configFile: false,
        presets: [["@babel/preset-env", { targets: { node: "current" } }], "@babel/preset-typescript"],
      },
    ],
  },
};
