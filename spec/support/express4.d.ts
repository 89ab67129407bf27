// Express 4 is installed beside Express 5 under this name.
declare module "express4" {
  import express from "express";
  export default express;
}
