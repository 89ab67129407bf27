// The specs drive the package as it is published: they import the build by its name, so `npm run build` comes first.
export default {
  testMatch: ["<rootDir>/spec/**/*.spec.ts"],
  modulePathIgnorePatterns: ["<rootDir>/bench/", "<rootDir>/examples/"],
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
