import type en from '../en/filter'

export default {} satisfies typeof en
