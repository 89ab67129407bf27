// The shop's two business numbers.

import "./env.js";

const { ORDERS_NUMBER, OFFERS_NUMBER } = process.env;

export const numbers = { orders: ORDERS_NUMBER ?? "+919812345678", offers: OFFERS_NUMBER ?? "+919812345679" };
