// Types of Express 4, which is installed under this name in addition to Express 5.
declare module "express4" {
  import express from "express";
  export default express;
}
