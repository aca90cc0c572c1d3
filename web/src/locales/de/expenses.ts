import type en from '../en/expenses'

export default {} satisfies typeof en
