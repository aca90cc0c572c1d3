import type en from '../en/quickAdd'

export default {} satisfies typeof en
